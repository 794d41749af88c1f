{"key": "e8edb88e236f3870", "signature": "JYqjR27EVSyoY+jfCfB3uNQ4zF+IwBCVRXePhv+lPWmv0QzkWxxf+MRZALulFlOt1uAPDGm1ZDgLq/9diqeXCw=="}
