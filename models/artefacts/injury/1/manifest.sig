{"key": "dc52eb72e00a42c4", "signature": "HEODV6VXc4b0cMBFD5oX8FffZgIEhBJuCiSenp1kKE1LmnnIkClaQUasx2LR5lnIp5agUSf2Jxur2Q/gu4GkAw=="}
