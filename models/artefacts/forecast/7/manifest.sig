{"key": "1d2de9d14c30ba9e", "signature": "1GshxcoHdYeD+EjoS71ocB96RjKrhrt28m5wAFxW4xpye5l1heYsKFQ09axT+titEjQPJ71NOqrlsW2znHhaAw=="}
