{"key": "a84a4683278c6b56", "signature": "5/5GznzutyvG7u7H09GZ6aLR5Z04TJFXnnNa1s0lVvRG+DcvRXn1nLSlHFg7UsOhLRyI8uUuvrrPMPNh+HyEAQ=="}
