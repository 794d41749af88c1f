{"key": "0ab5b893d51a5054", "signature": "/YDl8xqQ+OJxx+hpdS2gbpygnofMTv0BJfNHRMJcuW/BzdwyA042TwYrYH4Z8+uVNRmPPEKcCvf2an312MJkBQ=="}
