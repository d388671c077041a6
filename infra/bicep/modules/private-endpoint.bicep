import { texts } from 'types.bicep'

metadata description = 'One private endpoint, with its name in the private zone.'

@description('Region of the endpoint.')
param location string

@description('Tags of the endpoint.')
param tags texts

@description('Name of the endpoint.')
param endpointName string

@description('Id of the resource that is reached.')
param resourceId string

@description('Which part of the resource is reached, in the words of Private Link.')
param groupId string

@description('Subnet that the endpoint has its address in.')
param subnetId string

@description('Private DNS zone that names it.')
param dnsZoneName string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' existing = {
  name: dnsZoneName
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = {
  name: endpointName
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    customNetworkInterfaceName: 'nic-${endpointName}'
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: resourceId
          groupIds: [groupId]
        }
      }
    ]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: groupId, properties: { privateDnsZoneId: zone.id } }]
    }
  }
}
