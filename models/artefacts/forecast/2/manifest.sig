{"key": "e8edb88e236f3870", "signature": "6oWBIKIO706THar+2AQqo/IYxVxiSG3oVtz70lJRdbhb99KsG3FJLGaugesS0ILW7ZhgbdU+EOJClvs3BZ0aCA=="}
