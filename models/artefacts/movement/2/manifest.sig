{"key": "cff30208131e0702", "signature": "yB2Ve868t/D02lFMCAQCw3jrhbIVhzhpQTndQ7LvNo9jJkATo9EAgcaIbCE03Q1qpcAr0RlVC+EYs5yU//zVCg=="}
