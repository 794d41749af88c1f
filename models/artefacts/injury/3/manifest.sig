{"key": "7448cc7618e546bc", "signature": "PYradg7vB6y0GJK0shAWs7Tgiv3SmKpTFjPizzMn2YzVlDmlD1NPgHMXGEjw08LbHZ3jdrYBCHijdJhcnl3uDQ=="}
