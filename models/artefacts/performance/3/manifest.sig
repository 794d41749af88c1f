{"key": "2052852b0ad379d1", "signature": "IJR8ib41hBMEixwDn5pPzBTqL/LQIGkaoYzrkrhlTRaMLcEQT5qzhNjD5SiXrY0tewvEshC6BPN7b2NzBmo+CQ=="}
