"""How dates are written where Django's own formats won't do; of German and French they do."""
