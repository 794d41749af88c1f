{"key": "cff30208131e0702", "signature": "BzLK1mHwc+iWOYIO6xHiVLnzTkyd4ckNNBbXJyYk0QJqLuf+UniVIyECB2CiDznUfxXYJJDmFss82XoKB37sDQ=="}
