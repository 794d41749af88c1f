{"key": "1d2de9d14c30ba9e", "signature": "NtI3ashekCnAOCKKyrgq4KOI/TjTzBfxvycWXwGdZVzJqmJNrQEZonONpzCNSkWS2Pzm8MDQunuetD8rE++JAQ=="}
