{"key": "5036851d72a74292", "signature": "fhSsGcjt6WBqIjqVwV1hd956I+PsdjU5GPZZXgap8V4/YKXdXMojG6dfsz2xRqH59uwx9vH7C7kgSC3XgqP/AQ=="}
