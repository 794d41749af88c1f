{"key": "3fbb4b18feaca0a0", "signature": "bmtuVHTkAJcWvBFqvjGrAwmef2/5jlb4abxTAtR7js2ijsKFYVpjJADFp4evqKUxDtwB4fH1VwFYZWZ0I6kEBw=="}
