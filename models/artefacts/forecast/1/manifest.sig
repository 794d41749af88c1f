{"key": "453be1f67852be34", "signature": "PA7RplOiNDUTRwfwjk5vOgXeOxoHf4x9qtDyxBeyOoKw+FSMc5ebcTRWoS/vr8vMc79WPq6sYqW1QP40rf7OAw=="}
