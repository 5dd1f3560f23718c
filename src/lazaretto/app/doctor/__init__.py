"""The posture of a user: what their installers are told, and what of it lets a stranger decide what runs."""
