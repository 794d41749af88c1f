{"key": "65cf0e8a71029032", "signature": "hJmOnmn3cIo7vS887ZU9m8wjhHl4+REgEkLdFIsK3dLzw4uHJ2VGavJ0Oxu5HZ0IXTGW7IYuzi+uVDMrW3eLCw=="}
