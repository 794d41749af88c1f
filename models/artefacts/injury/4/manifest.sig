{"key": "3fbb4b18feaca0a0", "signature": "W+mM8le63d7axO69TN907G3GlB+Yj75M7YztXdWebUSrXV9Qu6gLuDmOBXn9bNPq4efLkmuWAsVYszZEmp0BAQ=="}
