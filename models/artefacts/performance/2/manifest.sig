{"key": "4bcf32279076a884", "signature": "80qlESY5w1ZSyZgiANgFvWDb3U0kxRGtnhLnNhmKeKeUGqMcFa1icRJSka5YJhP7vTOaM8gWubKF9fB5VrxACw=="}
