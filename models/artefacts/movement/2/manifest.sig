{"key": "2d9cb2e0d5cf4f1f", "signature": "6L1ONMVdE1bSRW73du5pCjuje+2/9nzTShUdaaOsH8I9YHGwCMo8+Q5pyaekHgg3gQydUsWqs+zhN6vwYeGGAQ=="}
