{"key": "5036851d72a74292", "signature": "Bh/8jj2gReWW2pmypDMbCjAKYaqO3Mo5LjGKVBo3WxwdMMz9Y9nizdiTPanI9FNy/fZ84B+w78bsen+ZAU1bCw=="}
