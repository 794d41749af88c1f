{"key": "e8edb88e236f3870", "signature": "c6UOLh1OrNS/3/dkv+iAwhGxqRxXai311nhZ3xH1S5ay6YYiHhuF7HRy07XK6ITveTWCsSAa8kaowjI7iu7YCg=="}
