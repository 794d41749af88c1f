{"key": "4bcf32279076a884", "signature": "fFvr4+PSUOb/JUyHN0yqPs5LJd68SEjG0dC0pspc2+qvQVnrccjy55WOe8Q2paQAvIHeNdnI2nPPVVScUxNqBQ=="}
