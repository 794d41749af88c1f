{"key": "ca8a332cb5205ddb", "signature": "YoVFvg71ocPrRBiYCQyHGTPSFc0ibtgK/t8ek62WkBbkJ3nB6ekRhZdLoulT4SHGX8scUWrm+8STYlI+rl8YCw=="}
