{"key": "2d9cb2e0d5cf4f1f", "signature": "8frmmz4V3cfxwgiNUtNva0P/A3ngM0nHsdzqIDPp028rqY3nkC7g8XqF4ZZnc4m2j11A9oxqRxircpgZm56MAQ=="}
