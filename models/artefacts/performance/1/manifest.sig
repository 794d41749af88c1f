{"key": "dc52eb72e00a42c4", "signature": "94hGi5r7LfZb3EhDZvcezzWf5hBH565pH7zqoC2nukoNy0FG2AW67GiRMx1hrYQs51sw4qnsGtA6WQaKody8Aw=="}
