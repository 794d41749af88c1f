{"key": "3fbb4b18feaca0a0", "signature": "wIwRIpTDy+QVwmY+71Ol8brWHPARKaZq7I5xn7g8C0BM6Uk0uiQhurnYMJchRoGPXxgls40QExPsBCFK8LF8Cw=="}
