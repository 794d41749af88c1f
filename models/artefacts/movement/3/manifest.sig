{"key": "e1d2e95df2d1b4ad", "signature": "pV8Hqcidq156IGyOIrwRy0SMeC7bVzggfV9PlzzV3YqJlUjLn1Ry9gebjtJT6pXTl8GzIKHjyz8HcdSrJnVqBw=="}
