{"key": "e1d2e95df2d1b4ad", "signature": "rIZT5cgsxAJ++LqsIcllGUXCN2EiB3nG4L3YONRt0TeGGwbd1idH0a50C+kZ+wmQWJvnjoU+I9LeZl511wTUDQ=="}
