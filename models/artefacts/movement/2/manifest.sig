{"key": "a84a4683278c6b56", "signature": "Otwk4rPHbSE1XwwSGPS4Yu+c7xEKEL9sTCLLuAgoRzrb/JvyIy3n2f81VOAeHlni6lYkI641lJL1YxbyS2IQCQ=="}
