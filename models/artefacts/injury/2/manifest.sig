{"key": "e1d2e95df2d1b4ad", "signature": "ZyA4HqrIYMALaOo4l8SctskEINxLyagwoBXQtP3B1TAjr9S4JMWAE2FqvOIxcHKXrcA3lEbIPXqRg3xbWFV1Cw=="}
