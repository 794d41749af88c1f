{"key": "e8edb88e236f3870", "signature": "GbY3qoATXvxS3lnZ5ZNHEHHQ2tzVoy5fnWf524gwxw2coBwgmOIw86TMEbxV8Ded2yNoa+VTwPQChZYt7kjGCQ=="}
