{"key": "0ab5b893d51a5054", "signature": "omZ+Znv5akGKNZDegd2lTNzSKL5ayUZ2HZep2A3zfrFwdTto40c60Ks2oq5Im1Rz3XjZgi/tOwEnru7GZDGoDg=="}
