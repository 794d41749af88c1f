{"key": "4bcf32279076a884", "signature": "r94uBeyFXU25GO6BvxbcDy6ilJYCVPapdfWznanpTSipNDWRK3LPOx993+tn4LzW8G65YiqfXj21hjkSLVBLDA=="}
