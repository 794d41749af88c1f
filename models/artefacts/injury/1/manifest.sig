{"key": "2052852b0ad379d1", "signature": "NBXmUOZAOEFDT3KeLSG7s8ksuzTNteGX0p8Gu+vLS6c356FtPrjO4AEPoQ2mfvgAgkdc+ZPPw+zKhboM126cAw=="}
