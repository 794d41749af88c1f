{"key": "d02cc97edbebc6d4", "signature": "0Zcyqo+JO2H4jopD3AXYfTlNAqfzWeGAcTkYrZVJNGB6siI0wCiM68QtSD+J9JTRrzEYLA9IkIl6OUyOz/UBDQ=="}
