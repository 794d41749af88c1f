{"key": "144fd63ece3aaa0f", "signature": "0iKiPF1LV9ivCNBj8EbN29T/KH927jH0oUUVQTvypVQTh03W5oBr5klK0TBdvY+HjPv51anGSl5plqceQlrwDw=="}
