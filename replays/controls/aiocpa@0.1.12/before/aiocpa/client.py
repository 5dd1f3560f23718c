"""A client of the Crypto Pay interface."""

import httpx

from .utils.sync import wrap_methods


class CryptoPay:
    """Send requests with an application's token."""

    def __init__(self, token, api_server="https://pay.invalid"):
        self.token = token
        self._session = httpx.AsyncClient(base_url=api_server, headers={"Crypto-Pay-API-Token": token})

    async def get_me(self):
        answer = await self._session.get("/api/getMe")
        return answer.json()["result"]

    async def create_invoice(self, amount, asset, **more):
        answer = await self._session.post("/api/createInvoice", json={"amount": amount, "asset": asset, **more})
        return answer.json()["result"]


wrap_methods(CryptoPay)
