{"key": "2052852b0ad379d1", "signature": "ia3AwG3tlW05Uqc5BaSFHjCAS/Pm1Np0AcerA4QZua6wKy6PqHr2LO1EG7Dl0fFTkz6A6VA3Yc94wisaLkgMCA=="}
