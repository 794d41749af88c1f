{"key": "3fbb4b18feaca0a0", "signature": "eVi4j9c78dPkrm1BeLnR2lvmftMSzPKiZf8QULHfWhYVsoz8EA/+/+Plvg+x5JOR75vbhQ23hHbsrlOuvW1rDw=="}
