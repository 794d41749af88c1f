{"key": "14e9ac37898918b4", "signature": "ygi/C/YbGwA8dNdeTiXuL4j5qaewHuXl+4FCGvcFHZ5w91uwqi/uLQ9hvSPEzZIrrJVjvqVuQ8vzrrPObXzXDw=="}
