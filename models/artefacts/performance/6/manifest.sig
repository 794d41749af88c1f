{"key": "0ab5b893d51a5054", "signature": "GI/UzMiANY7m6ldgJS9lbYQQUzq00JSC9ZfTXUrKAdezJDMBgOC9iM+AioLlI66Rc6GxIfyjyIe1L6mtwFy0Bw=="}
