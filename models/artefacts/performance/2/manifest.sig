{"key": "453be1f67852be34", "signature": "Lwu21vmnRkoAuIT3bUltj1XSqAOHvOdiymy9Ny8g5WQ00jua7SqhIYlbaVTThKe7fuaZuQVOa4WJZfi8x+akBQ=="}
