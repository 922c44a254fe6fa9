"""One API over every provider: requests that name a model, and reach it wherever the policy says it is served."""
