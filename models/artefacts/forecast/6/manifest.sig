{"key": "ab7e04651a6475ea", "signature": "NaoFF/5w6DETE8eicE7O0JkOY0LKlxDv6UuvoyCXa/jUbdYqsuvX/6bQZK2g0uZrxlsswBwmLrSStMZ6kMVaBQ=="}
