{"key": "7448cc7618e546bc", "signature": "9WGuIkHUW2NLhQk4YvHvMYZNeD52Ui8pkqTv79zNlbxlwbFzDQeH+UZh57BhR/efGCWJwvgqocXiV6KOSUDvBA=="}
