{"key": "7448cc7618e546bc", "signature": "UuLFPHSzZl/YPxx69trAIorclD/Pl75+SuBWdOm9z1xBbMFQiEyve+h8NAt9kc0dMghbhsvsE1RS3oxqjIrxDw=="}
