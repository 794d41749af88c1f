{"key": "453be1f67852be34", "signature": "uX3A2PZRRQo0PKMasLT6U52+E6LjNpEve9gpu+DZedRuhRZP7nil0+1eQyAPv41cgknsOtDxsTwuldqk/CgVCg=="}
