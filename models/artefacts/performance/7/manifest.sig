{"key": "575c85de25d58392", "signature": "ivzKv+BbCIXpLnvLwDYiXXVGpGZ9gpTiLEFwzMCpNmOf4/64si1T13L0A47PsLV1qlPHXbguHVcJbYibNsjHCA=="}
