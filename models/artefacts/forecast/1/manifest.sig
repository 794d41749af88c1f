{"key": "ca8a332cb5205ddb", "signature": "W8a129RJwk4ANPtYJoJfoQsZVMdEnNFAw+W368iiRUBlB9ZcGr5KJtEZsPtPy+OGTOqyBUH6OkvBLgmYGX8UAw=="}
