{"key": "ab7e04651a6475ea", "signature": "Re6kyZC0JnUPS84W1GW6/XtCdNdWqcOwqyaMzredbtGSA8lGTLNIM7hvUVGBbtEH+qZL877C1zo0hD3tj0ljDg=="}
