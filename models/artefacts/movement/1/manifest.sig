{"key": "453be1f67852be34", "signature": "R+KByneDlAIBHno5GN/z8VKGeQS+DRtYVFP23F/B6W5Sfw6SxobiNR0ZzoaEvjieqgG9ttzYpk09PrA76QV0Aw=="}
