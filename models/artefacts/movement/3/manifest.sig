{"key": "575c85de25d58392", "signature": "zZzkOqaknBBKr6QbspogznLvy2VUxSOQ97Yl03a0jb6rDTBEH5EptbKhLirFUlSXMvUuBmITLY2wL52mSpgGDA=="}
