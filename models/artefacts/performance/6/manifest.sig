{"key": "e1d2e95df2d1b4ad", "signature": "YOvvXE9aq4jOhAvgfl4dReSBG6BNGs2aYmsGOoVe9lfPvOMUFPDtc1Gl1/EuFH7V98kWrUVpNhfKRfZOt8kuCQ=="}
